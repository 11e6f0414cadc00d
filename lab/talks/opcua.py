"""A crane management system asks a quay crane over OPC UA: what it reads and commands, and who is let in."""

import asyncio
import contextlib
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from importlib import metadata

from asyncua import Client, Node, Server, ua, uamethod
from asyncua.crypto.permission_rules import User, UserRole

from .truth import Truth

_URL = "opc.tcp://127.0.0.1:4840/crane/"
_NAMESPACE = "http://lab.invalid/quay-crane"
_ACCOUNTS = {"maintenance": "hoist-and-trolley"}


class _Accounts:
    """Lets in anonymous users and the accounts above; asyncua's own manager would let in any name and password."""

    def get_user(self, iserver: object, username: str | None = None, password: str | None = None,
                 certificate: object = None) -> User | None:
        if username is None:
            return User(role=UserRole.User)
        return User(role=UserRole.Admin) if _ACCOUNTS.get(username) == password else None


@uamethod
def _move(parent: ua.NodeId, metres: float, gently: bool) -> float:
    return metres / 2 if gently else metres


async def _crane(server: Server) -> None:
    """Builds the crane's address space under node ids that are fixed, so that truth can name them."""
    index = await server.register_namespace(_NAMESPACE)
    crane = await server.nodes.objects.add_object(ua.NodeId("Crane", index), f"{index}:Crane")
    hoist = await crane.add_variable(ua.NodeId("Hoist", index), f"{index}:Hoist", 4.25)
    twistlock = await crane.add_variable(ua.NodeId("Twistlock", index), f"{index}:Twistlock", False)
    moves = await crane.add_variable(ua.NodeId(1001, index), f"{index}:Moves", 17, ua.VariantType.Int32)
    driver = await crane.add_variable(ua.NodeId("Driver", index), f"{index}:Driver", "nobody")
    for node in (hoist, twistlock, moves, driver):
        await node.set_writable()
    await crane.add_variable(ua.NodeId("Load", index), f"{index}:Load", 30.5)
    await crane.add_method(ua.NodeId("Move", index), f"{index}:Move", _move,
                           [ua.VariantType.Double, ua.VariantType.Boolean], [ua.VariantType.Double])


async def _refused(call: Awaitable) -> str:
    """Awaits what the server has to refuse; returns the status by the name that the client's library has for it."""
    try:
        await call
    except ua.UaError as error:
        return type(error).__name__
    raise AssertionError("the server did not refuse")


async def _values(truth: Truth, client: Client) -> None:
    """Reads and writes of several types, alone and in batches, granted and refused."""
    def node(name: str) -> Node:
        return client.get_node(f"ns=2;s={name}")

    moves = client.get_node("ns=2;i=1001")
    await node("Hoist").read_value()
    truth.operation("opcua", "Read", **{"class": "read"}, object="ns=2;s=Hoist", quantity=1, status_name="Good")
    await client.read_values([node("Hoist"), node("Twistlock"), moves])
    truth.operation("opcua", "Read", object="ns=2;s=Hoist, ns=2;s=Twistlock, ns=2;i=1001", quantity=3)
    status = await _refused(node("Spreader").read_value())
    truth.operation("opcua", "Read", object="ns=2;s=Spreader", status_name=status)
    await node("Twistlock").write_value(True)
    truth.operation("opcua", "Write", **{"class": "write"}, object="ns=2;s=Twistlock", detail__values=["true"],
                    status_name="Good")
    await client.write_values([node("Hoist"), moves],
                              [ua.DataValue(ua.Variant(6.5, ua.VariantType.Double)),
                               ua.DataValue(ua.Variant(-3, ua.VariantType.Int32))])
    truth.operation("opcua", "Write", object="ns=2;s=Hoist, ns=2;i=1001", quantity=2, detail__values=["6.5", "-3"])
    await node("Driver").write_value("J. Bos")
    truth.operation("opcua", "Write", object="ns=2;s=Driver", detail__values=["text"])
    status = await _refused(node("Load").write_value(1.0))
    truth.operation("opcua", "Write", object="ns=2;s=Load", status_name=status)
    status = await _refused(moves.write_value("many"))
    truth.operation("opcua", "Write", object="ns=2;i=1001", status_name=status)


async def _services(truth: Truth, client: Client) -> None:
    """Calls, browsing, registered nodes, history and a subscription."""
    crane, hoist = client.get_node("ns=2;s=Crane"), client.get_node("ns=2;s=Hoist")
    assert await crane.call_method(ua.NodeId("Move", 2), 9.0, True) == 4.5
    truth.operation("opcua", "Call", **{"class": "control"}, object="ns=2;s=Crane method ns=2;s=Move",
                    detail__arguments=["9", "true"], status_name="Good")
    status = await _refused(crane.call_method(ua.NodeId("Fly", 2)))
    truth.operation("opcua", "Call", object="ns=2;s=Crane method ns=2;s=Fly", status_name=status)
    await crane.get_children()
    truth.operation("opcua", "Browse", object="ns=2;s=Crane", quantity=1, status_name="Good")
    await crane.get_child("2:Hoist")
    truth.operation("opcua", "TranslateBrowsePathsToNodeIds", quantity=1, status_name="Good")
    await client.register_nodes([hoist])
    truth.operation("opcua", "RegisterNodes", object="ns=2;s=Hoist", quantity=1)
    await client.unregister_nodes([hoist])
    truth.operation("opcua", "UnregisterNodes", quantity=1)
    now = datetime.now(UTC)
    with contextlib.suppress(ua.UaError):
        await hoist.read_raw_history(now - timedelta(hours=1), now)
    truth.operation("opcua", "HistoryRead", **{"class": "read"}, object="ns=2;s=Hoist", quantity=1)

    heard: asyncio.Queue[float] = asyncio.Queue()

    class Listener:
        def datachange_notification(self, node: Node, value: float, data: object) -> None:
            heard.put_nowait(value)

    subscription = await client.create_subscription(100, Listener())
    truth.operation("opcua", "CreateSubscription", status_name="Good")
    handle = await subscription.subscribe_data_change(hoist)
    truth.operation("opcua", "CreateMonitoredItems", object="ns=2;s=Hoist", quantity=1, status_name="Good")
    await asyncio.wait_for(heard.get(), 5)
    truth.operation("opcua", "Publish", status_name="Good")
    await hoist.write_value(8.75)
    truth.operation("opcua", "Write", object="ns=2;s=Hoist", detail__values=["8.75"])
    assert await asyncio.wait_for(heard.get(), 5) == 8.75
    truth.operation("opcua", "Publish", status_name="Good")
    await subscription.unsubscribe(handle)
    truth.operation("opcua", "DeleteMonitoredItems", quantity=1)
    await subscription.delete()
    truth.operation("opcua", "DeleteSubscriptions", quantity=1)


async def _speak(truth: Truth) -> None:
    await Client(_URL).connect_and_get_server_endpoints()
    truth.operation("opcua", "Hello", **{"class": "session"}, object=_URL, status_name="Good")
    truth.operation("opcua", "OpenSecureChannel", status_name="Good")
    truth.operation("opcua", "GetEndpoints", **{"class": "identify"}, object=_URL, status_name="Good")
    async with Client(_URL) as client:
        truth.operation("opcua", "CreateSession", status_name="Good")
        truth.operation("opcua", "ActivateSession", status_name="Good")
        truth.told("session", protocol="opcua", user="", outcome="success")
        truth.told("credential", protocol="opcua", weakness="anonymous")
        await _values(truth, client)
        await _services(truth, client)
    truth.operation("opcua", "CloseSession", status_name="Good")
    for password, outcome in (("let-me-in", "failure"), (_ACCOUNTS["maintenance"], "success")):
        client = Client(_URL)
        client.set_user("maintenance")
        client.set_password(password)
        if outcome == "failure":
            await _refused(client.connect())
        else:
            await client.connect()
            await client.disconnect()
        truth.told("session", protocol="opcua", user="maintenance", outcome=outcome)


async def _talk(truth: Truth) -> None:
    server = Server(user_manager=_Accounts())
    await server.init()
    server.set_endpoint(_URL)
    server.set_server_name("Lab quay crane")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    await _crane(server)
    async with server:
        await _speak(truth)


def run() -> Truth:
    truth = Truth(f"asyncua {metadata.version('asyncua')}, client and server")
    asyncio.run(_talk(truth))
    return truth
