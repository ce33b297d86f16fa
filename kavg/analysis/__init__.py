"""Theory and measurement: bounds, exact moments, estimates and verdicts; never the simulator."""
