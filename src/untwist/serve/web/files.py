"""Worksheets as files to take along: a sheet of paper, Markdown, a table."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from starlette.responses import Response

from untwist.respond import worksheet_csv, worksheet_markdown
from untwist.serve.api import records as api
from untwist.serve.state import Here
from untwist.serve.web.asking import Who, mine
from untwist.serve.web.pdf import Paper, paper_for, worksheet_pdf
from untwist.serve.web.records import record_of, sheet_of

router = APIRouter(include_in_schema=False)


@router.get("/record/all.csv")
async def table(here: Here, who: Who) -> Response:
    """All worksheets as one table."""
    return await api.table(here, mine(who))


@router.get("/record/{name}/file.md")
async def markdown(name: str, here: Here, who: Who) -> Response:
    """One as Markdown."""
    sheet = sheet_of(await record_of(here, mine(who), name))
    text = worksheet_markdown(sheet, who.locale, region=who.region)
    return _file(text, "text/markdown; charset=utf-8", f"{sheet.kind}.md")


@router.get("/record/{name}/file.csv")
async def csv(name: str, here: Here, who: Who) -> Response:
    """One as a table."""
    sheet = sheet_of(await record_of(here, mine(who), name))
    return _file(worksheet_csv([(name, sheet)]), "text/csv; charset=utf-8", f"{sheet.kind}.csv")


@router.get("/record/{name}/file.pdf")
async def pdf(name: str, here: Here, who: Who, paper: Paper | None = None) -> Response:
    """One on a sheet of paper."""
    record = await record_of(here, mine(who), name)
    sheet, chosen = sheet_of(record), paper or paper_for(who.region)
    made = await asyncio.to_thread(
        worksheet_pdf, sheet, who.locale, chosen, record.updated, who.region
    )
    return _file(made, "application/pdf", f"{sheet.kind}.pdf")


def _file(content: str | bytes, kind: str, name: str) -> Response:
    headers = {
        "Content-Disposition": f'attachment; filename="{name}"',
        "Cache-Control": "no-store",
    }
    return Response(content, headers=headers, media_type=kind)
