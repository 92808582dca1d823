"""attachments as files: complete under their names, or not there"""
