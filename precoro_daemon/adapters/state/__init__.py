"""where the program remembers: one package for each engine

sqlite/  the state in one SQLite file
"""
