"""Runs a notebook in the current folder and prints what its cells print.

    python run_notebook.py mms-mnist.ipynb
"""

import sys

import nbclient
import nbformat

notebook = nbformat.read(sys.argv[1], as_version=4)
client = nbclient.NotebookClient(notebook, timeout=900, kernel_name="python3")
try:
    client.execute()
finally:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if output.get("name") == "stdout":
                print(output["text"], end="")
