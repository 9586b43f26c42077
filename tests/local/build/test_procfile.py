from __future__ import annotations

from herodeploy.local.build.procfile import parse


def test_types_and_commands() -> None:
    warned: list[str] = []
    text = "\ufeff# what runs\nweb: serve --port $PORT: yes\r\n\nback-ground_2:  work   \nweb:\nnonsense\nrelease: a\n"
    text += "release: b\n"
    assert parse(text, warned.append) == {
        "web": "serve --port $PORT: yes",
        "back-ground_2": "work",
        "release": "b",
    }
    assert warned == [
        "Procfile:5: 'web:' is no 'type: command' line and is ignored",
        "Procfile:6: 'nonsense' is no 'type: command' line and is ignored",
    ]
