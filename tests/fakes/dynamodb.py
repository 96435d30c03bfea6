"""A table at moto's server, over HTTP. The server may go away, and come back with what it had."""

import os
from typing import Self

import boto3
from moto.server import ThreadedMotoServer

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}


class Table:
    """For ``with``. The credentials are in the environment meanwhile, as AWS's tools have them."""

    def __init__(self) -> None:
        self._port = 0
        self._server: ThreadedMotoServer | None = None
        self._before: dict[str, str | None] = {}
        self._name = f"adyton-{os.urandom(4).hex()}"
        self.address = ""

    def __enter__(self) -> Self:
        self._before = {name: os.environ.get(name) for name in CREDENTIALS}
        os.environ.update(CREDENTIALS)
        self.start()
        endpoint = f"http://127.0.0.1:{self._port}"
        client = boto3.client("dynamodb", region_name="eu-west-1", endpoint_url=endpoint)
        client.create_table(
            TableName=self._name,
            KeySchema=[{"AttributeName": "ledger", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "ledger", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        client.close()
        self.address = f"dynamodb://{self._name}?region=eu-west-1&endpoint={endpoint}"
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
        for name, value in self._before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value

    def start(self) -> None:
        """Serve, always at one port; what is in the tables stays in this process's memory."""
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=self._port, verbose=False)
        self._server.start()
        _, self._port = self._server.get_host_and_port()

    def stop(self) -> None:
        """Close the port."""
        if self._server is not None:
            self._server.stop()
            self._server = None
