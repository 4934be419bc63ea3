import json

SETTINGS = json.loads("{not json}")


def run():
    return SETTINGS
