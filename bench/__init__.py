"""`python -m bench` measures fastws beside its rivals; the other scripts here measure and attack other things."""
