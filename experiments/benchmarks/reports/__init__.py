"""What is made of timings: tables, a report and figures."""
