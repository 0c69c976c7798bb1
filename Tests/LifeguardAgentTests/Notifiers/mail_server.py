"""A mail server for the tests: aiosmtpd, with faults on request.

usage: mail_server.py FOLDER [--tls starttls|implicit] [--auth] [--fail N] [--drop N] [--refuse ADDRESS]
Writes FOLDER/port once it listens, and every message to FOLDER/N.eml with its envelope in
FOLDER/N.json. --fail answers the first N messages with 451, --drop closes the first N connections
in the middle of the text, --refuse answers 550 to a recipient.
"""
import argparse, asyncio, json, os, ssl, sys

from aiosmtpd.smtp import SMTP, AuthResult

parser = argparse.ArgumentParser()
parser.add_argument("folder")
parser.add_argument("--tls")
parser.add_argument("--auth", action="store_true")
parser.add_argument("--login-only", action="store_true")
parser.add_argument("--fail", type=int, default=0)
parser.add_argument("--drop", type=int, default=0)
parser.add_argument("--refuse")
options = parser.parse_args()
count = 0


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address == options.refuse:
            return "550 5.1.1 no such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        global count
        if options.fail > 0:
            options.fail -= 1
            return "451 4.3.0 try again later"
        count += 1
        with open(f"{options.folder}/{count}.eml.part", "wb") as file:
            file.write(envelope.original_content)
        with open(f"{options.folder}/{count}.json", "w") as file:
            json.dump(
                {
                    "from": envelope.mail_from,
                    "to": envelope.rcpt_tos,
                    "tls": session.ssl is not None or options.tls == "implicit",
                    "authenticated": bool(session.authenticated),
                },
                file,
            )
        os.rename(f"{options.folder}/{count}.eml.part", f"{options.folder}/{count}.eml")
        return "250 OK"


class Server(SMTP):
    async def smtp_DATA(self, arg):
        if options.drop > 0:
            options.drop -= 1
            await self.push("354 go on")
            await self._reader.readline()
            self.transport.abort()
            return
        await super().smtp_DATA(arg)


def authenticate(server, session, envelope, mechanism, data):
    good = data.login == b"deploy" and data.password == b"correct horse"
    return AuthResult(success=good, handled=False)


async def main():
    context = None
    if options.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(f"{options.folder}/cert.pem", f"{options.folder}/key.pem")

    def make():
        return Server(
            Handler(),
            hostname="mail.test",
            tls_context=context if options.tls == "starttls" else None,
            authenticator=authenticate if options.auth else None,
            auth_require_tls=False,
            auth_exclude_mechanism=["PLAIN"] if options.login_only else None,
        )

    server = await asyncio.get_running_loop().create_server(
        make, "127.0.0.1", 0, ssl=context if options.tls == "implicit" else None
    )
    with open(f"{options.folder}/port.part", "w") as file:
        file.write(str(server.sockets[0].getsockname()[1]))
    os.rename(f"{options.folder}/port.part", f"{options.folder}/port")
    await server.serve_forever()


asyncio.run(main())
