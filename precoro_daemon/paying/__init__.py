"""what both payment jobs share: steps recorded and told, the books read, doubts settled"""
