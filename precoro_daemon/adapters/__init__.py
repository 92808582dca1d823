"""the outside world: one package per thing on the other side"""
