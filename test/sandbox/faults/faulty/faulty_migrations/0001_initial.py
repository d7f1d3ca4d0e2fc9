from importlib import import_module

Migration = import_module("notes.migrations.0001_initial").Migration
