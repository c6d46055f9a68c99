"""The tools that an editor's model is offered."""

NAMES = (
    "delegate run_get run_list run_input run_cancel persona_list persona_create "
    "instance_list instance_create instance_control project schedule"
).split()
READ_ONLY = {"run_list", "persona_list", "instance_list"}


def are_the_tools(listed: list[str]) -> None:
    """Each in its place, and none missing."""
    assert listed == NAMES, listed
