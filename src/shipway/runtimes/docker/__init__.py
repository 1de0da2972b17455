"""Containers: releases and accessories, by Docker."""
