def square(number):
    return number
