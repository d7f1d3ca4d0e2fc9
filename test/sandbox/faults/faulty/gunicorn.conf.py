import os
import time

# An app that starts slowly.
time.sleep(float(os.environ.get("START_SECONDS", "0")))
