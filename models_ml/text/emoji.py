"""Names of emoji by what they say, and which characters are pictograms. Chosen for this project."""

_BY_NAME = {
    "amor": "❤♥🧡💛💚💙💜🖤🤍💕💖💗💓💞💘💝😍🥰😘😻💋🫶🤗",
    "alegre": "😀😃😄😁😆😊🙂☺😉😎🤩🥳😋😇🤭😺😸🌞🌻🌹💐✨🎉🎊🚀🔥💯🏆🥇⚡🙌👏💪🤘😌🫡",
    "sim": "👍✅✔👌🤝☑🆗🤙",
    "obrigado": "🙏",
    "risada": "😂🤣😹😅",
    "raiva": "😡😠🤬👿😤💢🖕😾🗯",
    "triste": "😢😭😞😔☹🙁😟😥😓😩😫😖😣💔😿😪🥺😕",
    "medo": "😱😨😰😬😳🆘🚨⚠",
    "nojo": "🤮🤢💩🤡🙄😒😑🥴👎❌🚫⛔🗑",
    "neutro": "😐😶🤔🤨🧐🤷🤦😴🥱⏳⌛🕐",
    "estrela": "⭐🌟",
}
EMOJI = {char: name for name, chars in _BY_NAME.items() for char in chars}
# One pictogram with its joiners, skin tones and variation marks.
PICTOGRAM = "[\u231a-\u231b\u23e9-\u23f3\u2600-\u27bf\u2b50\u2b55\U0001f1e6-\U0001faff](?:[\ufe0f\u200d\U0001f3fb-\U0001f3ff\u2640\u2642])*"
