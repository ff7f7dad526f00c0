"""Scan records in the forms that other programs take: records in, tables and SARIF out."""
