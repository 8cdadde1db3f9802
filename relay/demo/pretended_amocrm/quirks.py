"""What amoCRM does where its documents are silent or disagree: one switch per open question.

Every field is unconfirmed. The default is the reading that is hardest on a client, except where the
harsh reading would refuse what public integrations are seen to send with success.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Quirks:
    """One reading of amoCRM's open questions.

    Attributes:
        repeated_msgid_status: The answer to a ``msgid`` seen before: 400 names the msgid and our
            id; 200 repeats the first answer. In both cases the message is kept once.
        status_field: The key of a delivery status. The parameter table says ``status_code``, the
            samples and every published library say ``delivery_status``; ``either`` takes any one
            of them, and refuses both in one body.
        parties: ``documented`` asks ``id`` and ``name`` of every sender and receiver; ``in_use``
            also takes the shorter forms some public integrations send: ``ref_id`` alone, no name.
        unknown_scope_status: The answer to a scope that is not ours, or is not connected.
        foreign_account_status: The answer to ``connect`` for an account the channel may not serve.
        unknown_chat_status: The answer to typing or a reaction in a chat nobody knows.
        file_fields_required: ``file_name`` and ``file_size`` are needed for file, video, picture.
        outgoing_makes_lead: An outgoing, not silent first message makes a contact and a lead.
        outgoing_binds: An outgoing import may bind a chat that began with "write first".
        write_first_reuses_chat: "Write first" to a client who has a chat goes on in that chat.
        echo_of_bot: A hook is sent for messages imported in the name of the channel's bot, against
            what the documents say: ``before`` the import is answered, or ``after`` it.
        echo_of_users: A hook is sent for messages imported in the name of a *user*.
        action_form: Typing and reaction hooks as the ``example`` or as the ``table`` has them.
    """

    repeated_msgid_status: Literal[200, 400, 409] = 400
    status_field: Literal["status_code", "delivery_status", "either"] = "either"
    parties: Literal["documented", "in_use"] = "documented"
    unknown_scope_status: int = 404
    foreign_account_status: int = 403
    unknown_chat_status: int = 404
    file_fields_required: bool = True
    outgoing_makes_lead: bool = True
    outgoing_binds: bool = True
    write_first_reuses_chat: bool = False
    echo_of_bot: Literal["never", "before", "after"] = "never"
    echo_of_users: bool = False
    action_form: Literal["example", "table"] = "example"
