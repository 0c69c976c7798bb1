"""Signs requests with botocore: JSON lines in, JSON lines out.

Each input line has method, url, headers, body, key, secret, token, region, service and date; each
output line has the Authorization header and the presigned address.
"""

import datetime
import json
import sys
from unittest import mock

from botocore import auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def request(case, body):
    made = AWSRequest(method=case["method"], url=case["url"], data=body)
    for name, value in case["headers"].items():
        made.headers[name] = value
    return made


def main():
    for line in sys.stdin:
        case = json.loads(line)
        now = datetime.datetime.strptime(case["date"], "%Y%m%dT%H%M%SZ")
        credentials = Credentials(case["key"], case["secret"], case["token"] or None)
        with mock.patch.object(auth, "get_current_datetime", lambda *a, **k: now):
            header = request(case, case["body"].encode())
            auth.SigV4Auth(credentials, case["service"], case["region"]).add_auth(header)
            # botocore would move a body into the query.
            query = request(case, None)
            auth.SigV4QueryAuth(
                credentials, case["service"], case["region"], expires=300).add_auth(query)
        print(json.dumps({"authorization": header.headers["Authorization"], "url": query.url}))


if __name__ == "__main__":
    main()
