"""Tells Twisted where the ``chainws`` plugin lives; it is loaded when somebody asks for it."""

from twisted.application.service import ServiceMaker

chainws = ServiceMaker(
    "chainws",
    "twisted_chainws.tap",
    "A chain event server: a development chain that speaks as Ethereum, Zilliqa and Ontology do.",
    "chainws",
)
