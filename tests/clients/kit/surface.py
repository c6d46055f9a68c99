"""The tools that an editor's model is offered."""

NAMES = (
    "delegate run_get run_list run_input run_cancel persona_list persona_create "
    "instance_list instance_create instance_control project schedule"
).split()
# Absent as long as what they do is not built; nothing else may be.
NOT_YET = {"run_input", "schedule"}
READ_ONLY = {"run_list", "persona_list", "instance_list"}


def are_the_tools(listed: list[str]) -> None:
    """Each in its place, and none missing but those not built yet."""
    assert listed == [name for name in NAMES if name in listed], listed
    assert set(NAMES) - set(listed) <= NOT_YET, listed
