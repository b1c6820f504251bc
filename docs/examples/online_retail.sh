#!/bin/sh
# Import the Online Retail data set (UCI Machine Learning Repository, CC BY 4.0) into the house in MILLRACE_HOME:
#   docs/examples/online_retail.sh online_retail.parquet
# An amount is quantity × price, rounded per line half away from zero; the country stands for the partner; invoices
# that begin with C are refunds, those with A adjustments, and so are other lines with a negative quantity.
set -eu
[ $# -ge 1 ] || { echo "usage: $0 FILE [more words for millrace import]" >&2; exit 2; }
file=$1
shift
exec "$(dirname "$0")/../../.venv/bin/millrace" import sales "$file" --source online-retail \
    --map order_id=InvoiceNo at=InvoiceDate quantity=Quantity price=UnitPrice product=StockCode \
        customer=CustomerID partner=Country country=Country \
    --set currency=GBP channel=web \
    --kind 'C*=refund' 'A*=adjustment' negative=adjustment \
    --create-partners "$@"
