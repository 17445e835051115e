"""pyspf's opinion, as a program of its own since pyspf and these tests both have a module named dns.

Reads {"zone": as in fake_dns.py, "questions": [[ip, mail_from, helo], ...]} and answers with a list of
[result, explanation, why]. Start it with python3 -P.
"""
import ipaddress
import json
import sys

import spf


def main():
    asked = json.load(sys.stdin)
    zone = asked["zone"]

    def look_up(name, kind, *_, **__):
        found = []
        for what, value in zone.get(name.lower().rstrip("."), ()):
            if what == "SERVFAIL":
                raise spf.TempError("SERVFAIL")
            if what == "TXT" and kind == "TXT":
                found.append(((name, kind), (value.encode("latin-1"),)))
            elif what == kind:
                found.append(((name, kind), ipaddress.ip_address(value).packed if kind == "AAAA" else
                              tuple(value) if kind == "MX" else value))
            elif what == "CNAME":
                found += [((name, what), value), *look_up(value, kind)]
        return found

    spf.DNSLookup = look_up
    answers = []
    for ip, mail_from, helo in asked["questions"]:
        query = spf.query(i=ip, s=mail_from, h=helo, receiver="mx.tapal.example", strict=True)
        query.set_default_explanation("")
        result, _, why = query.check()
        answers.append([result, why if result == "fail" else "", why])
    json.dump(answers, sys.stdout)


if __name__ == "__main__":
    main()
