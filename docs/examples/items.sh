#!/usr/bin/env bash
# With curl (7.84 or later): url=http://127.0.0.1:3000 bash docs/examples/items.sh
set -euo pipefail
url=${url:-http://127.0.0.1:3000}

# readme:begin
json='Content-Type: application/json'

# Create. With an Idempotency-Key, a request that is sent again creates nothing, and is answered the same.
item=$url$(curl -sSf -o /dev/null -w '%header{location}' "$url/items" -H "$json" -H "Idempotency-Key: $RANDOM-$RANDOM" \
  -d '{"name":"Bow saw","category":"hand-saws","price":24.5,"quantity":7}')

# Read. Whoever sends the tag of what they have is answered 304, without a body.
etag=$(curl -sSf -o /dev/null -w '%header{etag}' "$item")
curl -sS -o /dev/null -w '%{http_code}\n' "$item" -H "If-None-Match: $etag"

# Replace, but only what one has read: the first is answered 200, the second 412.
for price in 22 23; do
  curl -sS -o /dev/null -w '%{http_code}\n' -X PUT "$item" -H "$json" -H "If-Match: $etag" \
    -d '{"name":"Bow saw","category":"hand-saws","price":'$price',"quantity":7}'
done

# List, then delete.
curl -sSf "$url/items?category=hand-saws&sort=price&limit=1" -w '\n'
curl -sS -o /dev/null -w '%{http_code}\n' -X DELETE "$item"
# readme:end
