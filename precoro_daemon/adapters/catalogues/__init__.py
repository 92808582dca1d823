"""where wanted items come from: files, and tables of a database"""
