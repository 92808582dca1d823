"""what it does: one module = one command = one log field"""
