"""Words by which a reader asks for several kinds of findings, as regular expressions."""

from __future__ import annotations

STANDS_STILL = (
    r"\b(?:not|n.t|never|hardly|barely|without) (?:\w+ ){0,2}(?:mov|chang)|\bstay|\bstuck|\bnothing happen"
    r"|\bstand still"
)
"""Why nothing, or one parameter, moved."""

WRONG_GRADIENT = (
    r"\bgradients? (?:\w+ )?(?:right|wrong|correct|exact|trust)|\b(?:right|wrong|correct) gradient|\b(?:is"
    r"|are) the (?:\w+ )?(?:gradient|derivative)s? (?:\w+ )?(?:right|correct|exact|ok)"
)
"""Whether the gradient is right."""

ROSE = r"\b(?:rise|rose|rising|go up|goes up|went up|diverg|explod|blew up|blow up|jump)"
"""Why the loss rose."""
