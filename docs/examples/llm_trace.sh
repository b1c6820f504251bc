#!/bin/sh
# Import a trace of LLM requests (Azure LLM inference trace, CC BY 4.0) as usage of one model:
#   docs/examples/llm_trace.sh AzureLLMInferenceTrace_conv.csv gpt-4o
# Its times have seven digits after the second; Millrace keeps six and cuts off the rest.
set -eu
[ $# -ge 2 ] || { echo "usage: $0 FILE MODEL [more words for millrace import]" >&2; exit 2; }
file=$1
model=$2
shift 2
exec "$(dirname "$0")/../../.venv/bin/millrace" import usage "$file" --source "llm-trace-$model" \
    --map at=TIMESTAMP input_tokens=ContextTokens output_tokens=GeneratedTokens \
    --set provider=azure model="$model" "$@"
