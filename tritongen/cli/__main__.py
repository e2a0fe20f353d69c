"""`python -m tritongen.cli`."""

from tritongen.cli import main

if __name__ == "__main__":
    main(prog_name="tritongen")
