"""messages to people, and signs of life for who watches

messenger.py  messages through Apprise, in a process that lives for one message
ping.py       a sign of life: a GET to a monitoring address
sending.py    the process that sends one message: reads it and the addresses as JSON, and writes the failures as JSON
"""
