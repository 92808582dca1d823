"""what others ask of us: webhooks on one socket; health, metrics and a page on another"""
