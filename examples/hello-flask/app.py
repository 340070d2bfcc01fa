"""A page that greets, and counts how often it did."""

from itertools import count

from flask import Flask, render_template

app = Flask(__name__)
visits = count(1)


@app.get("/")
def greet():
    return render_template("index.html", title="Hello", visit=next(visits))


@app.get("/health")
def health():
    return {"status": "ok"}
