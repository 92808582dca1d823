"""Precoro itself: its answers as pages and documents"""
