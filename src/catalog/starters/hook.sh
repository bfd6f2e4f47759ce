#!/bin/sh
# The HOOK of OFFERING-NAME. It may be called twice for the same thing: the second time it succeeds as well.
# Its input is one JSON object; exit code 0 is success, 75 means "call me again later", all else is a failure, and
# what it wrote to its standard error is told to the operator.
set -eu
context=$(cat)
