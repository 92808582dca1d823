"""one origin over HTTP: session (one exchange), throttled (budget), retrying"""
