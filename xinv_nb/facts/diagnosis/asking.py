"""Words by which a reader asks for several kinds of findings, as regular expressions."""

from __future__ import annotations

STANDS_STILL = (
    r"\b(?:not|n.t|never|hardly|barely|without) (?:\w+ ){0,2}(?:mov|chang)|\bstay|\bstuck|\bnothing happen"
    r"|\bstand still"
)
"""Why nothing, or one parameter, moved."""

_SLOPES = r"(?:gradient|derivative|jacobian)s?"
WRONG_GRADIENT = (
    rf"\b{_SLOPES} (?:\w+ )?(?:right|wrong|correct|exact|trust)|\b(?:right|wrong|correct) {_SLOPES}\b|\b(?:is"
    rf"|are) (?:the|my|this|these) (?:\w+ )?{_SLOPES} (?:\w+ )?(?:right|correct|exact|ok)"
)
"""Whether the gradient is right."""

ROSE = r"\b(?:rise|rose|rising|go up|goes up|went up|diverg|explod|blew up|blow up|jump)"
"""Why the loss rose."""
