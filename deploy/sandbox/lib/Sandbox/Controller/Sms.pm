package Sandbox::Controller::Sms;

# Aliyun's dysmsapi: one address, the action named in a header.

use v5.36;
use Mojo::Base 'Sandbox::Controller';
use warnings FATAL => 'all';

use Sandbox::Sms qw(parse_message);
use Sandbox::Value qw(random_hex);

use constant HOST_ID => 'dysmsapi.aliyuncs.com';

sub receive ($self) {
  my $request = $self->_request;
  $self->answer(
    sms => sub ($status) { _failure('ServiceUnavailable', 'The service is unavailable.') },
    sub { $self->_deliver($request) }
  );
  return;
}

sub _deliver ($self, $request) {
  my ($status, @fault) = $self->app->sms_gate->refuse($request);
  return ($status, _failure(@fault)) if $status;

  (my $message, $status, @fault) = parse_message($request);
  return ($status, $status == 200 ? _result(@fault) : _failure(@fault)) if !$message;

  $self->app->inbox->add($_, @$message{qw(template params)}) for @{$message->{phones}};
  return (200, {_result('OK', 'OK')->%*, BizId => int(rand 1e15) . '^0'});
}

# The request as received, for Sandbox::Acs3.
sub _request ($self) {
  my $req     = $self->req;
  my $headers = $req->headers;
  return {
    method  => $req->method,
    path    => $req->url->path->to_string || '/',
    query   => $req->url->query->to_string,
    headers => {map { lc $_ => $headers->header($_) } @{$headers->names}},
    body    => $req->body,
  };
}

sub _result ($code, $message) {
  return {RequestId => _request_id(), Code => $code, Message => $message};
}

sub _failure ($code, $message) {
  return {_result($code, $message)->%*, HostId => HOST_ID};
}

sub _request_id () {
  return uc join '-', unpack 'A8 A4 A4 A4 A12', random_hex(16);
}

1;
