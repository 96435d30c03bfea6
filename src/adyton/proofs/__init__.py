"""Circuits as Python sees them: parameters, private inputs, public inputs and plain evaluation."""
