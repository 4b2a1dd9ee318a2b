package Caportal::Schema;

# Holds a JSON document against a schema of JSON Schema 2020-12, as far as html/openapi.yaml uses it; a keyword that is
# not known here dies. Stricter in one point: a member that no part of the schema describes is a fault, so that nothing
# leaves the portal undescribed. `additionalProperties: true` says that anything may stand there.

use v5.36;
use B ();
use JSON::PP ();
use List::Util qw(all any);
use Scalar::Util qw(looks_like_number);

my %means_nothing = map { $_ => 1 } qw(title description example examples default deprecated format);

my %types = (
    null    => sub ($value) { !defined $value },
    boolean => sub ($value) { JSON::PP::is_bool($value) },
    object  => sub ($value) { ref $value eq 'HASH' },
    array   => sub ($value) { ref $value eq 'ARRAY' },
    string  => \&_is_string,
    number  => \&_is_number,
    integer => sub ($value) { _is_number($value) && $value == int $value },
);

# Each is called with the checker, the keyword's value, the document, its place, the schema and the members described.
my %keywords = (
    '$ref' => sub ($self, $ref, $value, $at, $schema, $seen) {
        return $self->_apply($self->resolve($ref), $value, $at, $seen);
    },
    type  => sub ($self, $names, $value, $at, @) {
        my @names = ref $names ? @$names : $names;
        return (any { $types{$_}->($value) } @names) ? () : "$at is not " . join ' or ', @names;
    },
    const => sub ($self, $wanted, $value, $at, @) { return _is_equal($wanted, $value) ? () : "$at is not $wanted" },
    enum  => sub ($self, $words, $value, $at, @) {
        return (any { _is_equal($_, $value) } @$words) ? () : "$at is none of " . join ', ', map { $_ // 'null' } @$words;
    },
    minimum => sub ($self, $least, $value, $at, @) {
        return _is_number($value) && $value < $least ? "$at is less than $least" : ();
    },
    maximum => sub ($self, $most, $value, $at, @) {
        return _is_number($value) && $value > $most ? "$at is more than $most" : ();
    },
    minLength => sub ($self, $least, $value, $at, @) {
        return _is_string($value) && length $value < $least ? "$at is shorter than $least" : ();
    },
    maxLength => sub ($self, $most, $value, $at, @) {
        return _is_string($value) && length $value > $most ? "$at is longer than $most" : ();
    },
    pattern => sub ($self, $pattern, $value, $at, @) {
        my $anchored = $pattern =~ s/\$\z/\\z/r;
        return _is_string($value) && $value !~ /$anchored/ ? "$at is not of the form $pattern" : ();
    },
    minItems => sub ($self, $least, $value, $at, @) {
        return ref $value eq 'ARRAY' && @$value < $least ? "$at has fewer than $least items" : ();
    },
    maxItems => sub ($self, $most, $value, $at, @) {
        return ref $value eq 'ARRAY' && @$value > $most ? "$at has more than $most items" : ();
    },
    items => sub ($self, $items, $value, $at, @) {
        return if ref $value ne 'ARRAY';
        return map { $self->_document($items, $value->[$_], "$at/$_") } 0 .. $#$value;
    },
    required => sub ($self, $names, $value, $at, @) {
        return if ref $value ne 'HASH';
        return map {"$at/$_ is missing"} grep { !exists $value->{$_} } @$names;
    },
    properties => sub ($self, $properties, $value, $at, $schema, $seen) {
        return if ref $value ne 'HASH';
        my @names = grep { exists $value->{$_} } sort keys %$properties;
        $seen->{$_} = 1 for @names;
        return map { $self->_document($properties->{$_}, $value->{$_}, "$at/$_") } @names;
    },
    additionalProperties => sub ($self, $rest, $value, $at, $schema, $seen) {
        return if ref $value ne 'HASH';
        my @names = grep { !exists(($schema->{properties} // {})->{$_}) } sort keys %$value;
        $seen->{$_} = 1 for @names;
        return JSON::PP::is_bool($rest) && $rest ? ()
            : JSON::PP::is_bool($rest) ? map {"$at/$_ is not described"} @names
            : map { $self->_document($rest, $value->{$_}, "$at/$_") } @names;
    },
    allOf => sub ($self, $schemas, $value, $at, $schema, $seen) {
        return map { $self->_apply($_, $value, $at, $seen) } @$schemas;
    },
    anyOf => sub ($self, $schemas, $value, $at, $schema, $seen) {
        my ($good, @faults) = $self->_alternatives($schemas, $value, $at, $seen);
        return $good ? () : ("$at fits no alternative", @faults);
    },
    oneOf => sub ($self, $schemas, $value, $at, $schema, $seen) {
        my ($good, @faults) = $self->_alternatives($schemas, $value, $at, $seen);
        return $good == 1 ? () : $good ? "$at fits $good alternatives" : ("$at fits no alternative", @faults);
    },
);

# root: the document in which "#/…" references lead.
sub new ($class, $root) { return bless {root => $root}, $class }

# What is wrong with the document, one line each, with its place; nothing when it fits.
sub faults ($self, $schema, $document) {
    my @faults = $self->_document($schema, $document, '');
    return map { /^ / ? "the document$_" : $_ } @faults;
}

# What a reference, or a chain of them, leads to.
sub resolve ($self, $ref) {
    my $place = $self->{root};
    for my $name (split m{/}, $ref =~ s{^#/}{}r) {
        $name =~ s{~1}{/}g;
        $place = ref $place eq 'HASH' && $place->{$name} // die "$ref leads nowhere\n";
    }
    return $place;
}

# A value of its own: whatever describes it must describe each of its members.
sub _document ($self, $schema, $value, $at) {
    my %seen;
    my @faults = $self->_apply($schema, $value, $at, \%seen);
    return @faults if @faults || ref $value ne 'HASH';
    return map {"$at/$_ is not described"} grep { !$seen{$_} } sort keys %$value;
}

# Holds a value against a schema, or against one more that describes the same value.
sub _apply ($self, $schema, $value, $at, $seen) {
    my @known = grep { !$means_nothing{$_} && !/^x-/ } sort keys %$schema;

    if (my @strange = grep { !$keywords{$_} } @known) {
        die "the checker does not know the keyword @strange\n";
    }
    return map { $keywords{$_}->($self, $schema->{$_}, $value, $at, $schema, $seen) } @known;
}

# How many alternatives fit, and the faults of the one that nearly did.
sub _alternatives ($self, $schemas, $value, $at, $seen) {
    my ($good, $nearest) = (0);
    for my $schema (@$schemas) {
        my %inner;
        my @faults = $self->_apply($schema, $value, $at, \%inner);
        if (!@faults) {
            $good++;
            $seen->{$_} = 1 for keys %inner;
        }
        $nearest = \@faults if !$nearest || @faults < @$nearest;
    }
    return ($good, @$nearest);
}

# How a scalar came out of the JSON parser; a number that was looked at as text stays one.
sub _is_number ($value) {
    return 0 if !defined $value || ref $value;
    my $flags = B::svref_2object(\$value)->FLAGS;
    return $flags & (B::SVp_IOK | B::SVp_NOK) && !($flags & B::SVp_POK) ? 1 : 0;
}

sub _is_string ($value) { return defined $value && !ref $value && !_is_number($value) }

sub _is_equal ($wanted, $value) {
    return !defined $wanted && !defined $value if !defined $wanted || !defined $value;
    return JSON::PP::is_bool($wanted) && JSON::PP::is_bool($value) && !!$wanted == !!$value
        if ref $wanted || ref $value;
    return looks_like_number($wanted) && $wanted == $value if _is_number($value);
    return $wanted eq $value;
}

1;
