"""what others ask of us, each on a socket of its own: webhooks; health and a page; orders"""
