"""Comparison of methods at an equal budget.

``method`` says what is compared, ``reading`` what a method reached within a budget, ``contrast``
how two methods differ there, and ``comparison`` joins them to the content of ``kavg compare``.
"""
