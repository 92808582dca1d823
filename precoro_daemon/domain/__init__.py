"""the rules: pure functions and values; no await, no clock, no I/O, no logging"""
