"""What a person is told of, in the desk and by e-mail."""
