"""accounting systems behind one port: sql, rest, csv"""
