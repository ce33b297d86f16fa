"""The table ``[sweep]`` of a settings file, and the values that it spaces."""
