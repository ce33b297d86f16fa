"""From the table ``[sweep]`` to points: axes, their values, the combinations, and what is wrong."""
