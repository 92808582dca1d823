"""the state of a company in a schema of a PostgreSQL database

"""
