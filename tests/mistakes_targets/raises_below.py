import raises


def run():
    return raises.SETTINGS
