"""The app that the tests of marimo open; it is run by marimo, never imported."""
# ruff: noqa: B018

import marimo

app = marimo.App(width="medium")


@app.cell
def _():
    import time

    import marimo as mo
    from autograd import grad
    from autograd import numpy as np

    import xinv_nb as xi

    return grad, mo, np, time, xi


@app.cell
def _(grad, np, xi):
    with xi.record("bowl") as bowl:
        x = np.array([3.0, -2.0])
        for _ in range(60):
            x = x - 0.05 * grad(lambda x: np.sum(x**2))(x)
    bowl
    return (bowl,)


@app.cell
def _(bowl, mo):
    view = mo.ui.anywidget(bowl.widget())
    view
    return (view,)


@app.cell
def _(mo, view):
    mo.md(f"the cursor stands at {view.value['iteration']}")


@app.cell
def _(grad, mo, np, time, xi):
    with xi.record("live", live=True) as live:
        y = np.array([3.0, -2.0])
        for _ in range(3000):
            if (mo.notebook_dir() / "followed").exists():  # the test has seen enough
                break
            time.sleep(0.1)
            y = y - 0.05 * grad(lambda x: np.sum(x**2))(y)
    return (live,)


@app.cell
def _(bowl, live, xi):
    xi.compare(bowl, live)


if __name__ == "__main__":
    app.run()
