"""A run's resource, listened to through the Python SDK: it is told, and reading it again shows what is new."""

import asyncio

from fakes import script
from kit.face import Face, client, session
from kit.job import Hawk, concluded, marker
from kit.place import Place
from mcp.types import ResourceListChangedNotification, ResourceUpdatedNotification

PATIENCE_S = 60


async def a_session_is_told_of_the_run_it_subscribed_to(place: Place) -> None:
    """`resources/subscribe`, the way of most editors."""
    hawk, heard = Hawk("claude"), asyncio.Queue()

    async def hear(message) -> None:
        if isinstance(message, ResourceUpdatedNotification | ResourceListChangedNotification):
            await heard.put(message)

    async with session(place, told=hear) as face:
        await hawk.settle(face)
        await face.sdk.list_resources()
        mark = marker()
        run = await hawk.start(face, mark, script({"sleep": 3}), wait_ms=0)
        uri = f"eyas://runs/{run['id']}"
        await face.sdk.subscribe_resource(uri)
        await _until_ended(face, uri, mark, lambda: _updated(heard, uri))
        await face.sdk.unsubscribe_resource(uri)
        concluded(await face.finish(run), mark)


async def a_listener_is_told_of_the_run_it_listens_to(place: Place) -> None:
    """`subscriptions/listen`, of 2026-07-28: what cannot be told is left out of what is honoured."""
    hawk = Hawk("claude")
    async with client(place) as face:
        await hawk.settle(face)
        mark = marker()
        run = await hawk.start(face, mark, script({"sleep": 3}), wait_ms=0)
        uri = f"eyas://runs/{run['id']}"
        wanted = [uri, "eyas://personas/reviewer"]
        async with face.sdk.listen(resource_subscriptions=wanted, resources_list_changed=True) as told:
            assert list(told.honored.resource_subscriptions or []) == [uri], told.honored
            assert told.honored.resources_list_changed, told.honored
            events = aiter(told)
            await _until_ended(face, uri, mark, lambda: _heard(events, uri))
        concluded(await face.finish(run), mark)


async def _until_ended(face: Face, uri: str, mark: str, told) -> None:
    """Read again whenever told, and only then."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            await told()
            text = (await face.sdk.read_resource(uri)).contents[0].text
            assert mark in text, text
            if '"state": "succeeded"' in text:
                return


async def _updated(heard: asyncio.Queue, uri: str) -> None:
    """The next notice of this resource; others may come between."""
    while True:
        message = await heard.get()
        if isinstance(message, ResourceUpdatedNotification) and str(message.params.uri) == uri:
            return


async def _heard(events, uri: str) -> None:
    while True:
        event = await anext(events)
        if getattr(event, "uri", None) == uri:
            return
