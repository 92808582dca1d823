"""databases of the user: the books, and tables of wanted items"""
