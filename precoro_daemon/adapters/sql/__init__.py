"""the state store on SQLite: the mirror, its change log, and the account of calls"""
