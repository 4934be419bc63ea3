import a_package_that_is_not_installed


def run():
    return a_package_that_is_not_installed
