"""The colours of series: Okabe and Ito's, which colour-blind readers tell apart; the browser draws with the same."""

from __future__ import annotations

WATCHED = "#6a51a3"
"""The colour of watched quantities, each in a plot of its own."""

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7a6a00", "#555555")
